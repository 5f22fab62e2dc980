/**
 * Reads our settings, typed and with the defaults of settings.ts. A value of another type than the manifest declares
 * (settings.json is edited by hand) reads as the default. Leaves out writing: only the user changes a setting.
 */
import * as vscode from 'vscode';
import { settings, type SettingKey, type SettingValue } from './settings.ts';

const section = 'rolloutLens';

/** The value of a setting, for a resource where its scope is `resource`. */
export function setting<Key extends SettingKey>(key: Key, resource?: vscode.Uri): SettingValue<Key> {
  const value = vscode.workspace.getConfiguration(section, resource ?? null).get(key);
  const standard = settings[key];
  // The table ties the type of a key to the type of its default; TypeScript cannot follow that through `typeof`.
  if (Array.isArray(standard)) return texts(value) as SettingValue<Key>;
  return (typeof value === typeof standard ? value : standard) as SettingValue<Key>;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Calls back when one of the settings changes. */
export function onSettingChange(keys: readonly SettingKey[], listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (keys.some((key) => event.affectsConfiguration(`${section}.${key}`))) listener();
  });
}
