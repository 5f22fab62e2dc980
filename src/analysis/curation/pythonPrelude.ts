/**
 * Names that Python code may use without binding them: built-ins, and what harnesses usually put into the namespace
 * before a policy's code runs. Data only. A name of a run's own harness is told by how often it works (feedback.ts).
 */

/** Built-in functions, constants and exceptions of Python 3, and the names of a module and of IPython. */
const builtIn =
  `abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod complex delattr dict dir
  divmod enumerate exit filter float format frozenset getattr hasattr hash help hex id input int isinstance issubclass
  iter len list map max memoryview min next object oct open ord pow print property quit range repr reversed round set
  slice sorted staticmethod str sum super tuple type zip copyright credits license display In Out _ __ ___ _oh _ih _dh
  True False None Ellipsis NotImplemented __name__ __file__ __doc__ __builtins__ __debug__ __spec__ __loader__
  __package__ __annotations__ self cls
  ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError
  BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError
  ConnectionResetError DeprecationWarning EOFError EncodingWarning EnvironmentError Exception ExceptionGroup
  FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning
  IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError
  ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError OverflowError PendingDeprecationWarning
  PermissionError ProcessLookupError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning
  StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError
  UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning
  ValueError Warning ZeroDivisionError`.split(/\s+/u);

/** Modules and aliases that harnesses import beforehand, and what they call the pictures of the prompt. */
const usual =
  `np pd plt sp sns tf torch cv2 PIL Image ImageDraw ImageEnhance ImageFilter ImageFont ImageOps ImageChops math os sys re
  json random time datetime collections itertools functools statistics fractions Fraction decimal Decimal sympy scipy
  numpy pandas matplotlib skimage sklearn requests base64 io BytesIO StringIO string copy glob pathlib Path typing List
  Dict Tuple Optional Union Any Counter defaultdict deque namedtuple itemgetter reduce partial lru_cache cache product
  permutations combinations ceil floor sqrt pi gcd lcm comb factorial log exp sin cos tan heapq bisect operator csv
  pytesseract easyocr shutil subprocess urllib textwrap image img images imgs image_path img_path image_paths
  input_image original_image image_list image_files pil_image tool tools client final_answer submit answer context`.split(
    /\s+/u,
  );

const known = new Set([...builtIn, ...usual]);
const numbered = /^(?:image|img|picture|photo|frame|page|observation|obs|doc|file|_i?)_?\d+$/iu;

/** True for a name that is there before any code ran, in Python itself or in the usual harness. */
export function isPrelude(name: string): boolean {
  return known.has(name) || numbered.test(name);
}

/** Modules that only Python 2 had, and those of other systems than the one a sandbox runs on. */
export const impossibleModules: ReadonlySet<string> = new Set(
  `urllib2 urlparse ConfigParser cPickle cStringIO StringIO Tkinter tkMessageBox Queue httplib HTMLParser
  SocketServer BaseHTTPServer commands md5 sets exceptions __builtin__ winreg _winreg msvcrt winsound`.split(/\s+/u),
);
