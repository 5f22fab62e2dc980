// What the host reads of the install step of onnxruntime-node: which package of which feed holds which library.
declare module 'onnxruntime-node/script/install-metadata.js' {
  interface InstallMetadata {
    readonly manifests: Readonly<
      Record<string, Readonly<Record<string, { readonly package: string; readonly path: string }>>>
    >;
    readonly packages: Readonly<
      Record<
        string,
        { readonly name: string; readonly versions: readonly { readonly feed: string; readonly version: string }[] }
      >
    >;
    readonly feeds: Readonly<Record<string, { readonly type: string; readonly index: string }>>;
  }
  const metadata: InstallMetadata;
  export default metadata;
}
