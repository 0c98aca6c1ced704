/**
 * Go's expressions as re2js reads them: Go lets two groups share a name, and looks up `\p{…}` without regard to case, blanks and
 * underscores and by the categories' long names; re2js knows further classes (`\p{Emoji}`) that Go refuses.
 */
export function toRe2Source(source: string): { pattern: string; groupNames: ReadonlyMap<string, string> } {
  const groupNames = new Map<string, string>();
  if (!/\\[pP]|\(\?P?</.test(source)) return { pattern: source, groupNames };
  let pattern = '';
  for (let i = 0; i < source.length; ) {
    const end = i + lengthOfPiece(source, i);
    pattern += translate(source.slice(i, end), groupNames);
    i = end;
  }
  return { pattern, groupNames };
}

function translate(piece: string, groupNames: Map<string, string>): string {
  if (/^\\[pP]/.test(piece)) return unicodeClass(piece);
  if (piece.startsWith('[')) return translateClass(piece);
  const name = /^\(\?P?<(\w+)>$/.exec(piece)?.[1];
  if (name === undefined) return piece;
  const unique = `g${groupNames.size}_${name}`;
  groupNames.set(unique, name);
  return `(?P<${unique}>`;
}

/** Quoted text, an escape, a whole class, the opening of a named group, or one character. */
function lengthOfPiece(source: string, at: number): number {
  if (source[at] === '\\') return lengthOfEscape(source, at);
  if (source[at] === '[') return lengthOfClass(source, at);
  NAMED_GROUP.lastIndex = at;
  return NAMED_GROUP.exec(source)?.[0].length ?? 1;
}

const NAMED_GROUP = /\(\?P?<\w+>/y;

function lengthOfEscape(source: string, at: number): number {
  const letter = source[at + 1];
  if (letter === 'Q') {
    const end = source.indexOf('\\E', at);
    return (end === -1 ? source.length : end + 2) - at;
  }
  if ((letter !== 'p' && letter !== 'P') || source[at + 2] !== '{') return letter === 'p' || letter === 'P' ? 3 : 2;
  const close = source.indexOf('}', at);
  return (close === -1 ? source.length : close + 1) - at;
}

/** A `]` in the first place does not end a class, nor does the one of `[:alpha:]`. */
function lengthOfClass(source: string, at: number): number {
  let i = at + 1;
  if (source[i] === '^') i++;
  if (source[i] === ']') i++;
  while (i < source.length && source[i] !== ']') {
    POSIX_CLASS.lastIndex = i;
    i += source[i] === '\\' ? 2 : (POSIX_CLASS.exec(source)?.[0].length ?? 1);
  }
  return Math.min(i + 1, source.length) - at;
}

const POSIX_CLASS = /\[:\^?[a-z]{1,12}:\]/y;

const translateClass = (text: string): string =>
  text.replace(/\\[pP](?:\{[^}]*\}|[^{])|\\[\s\S]/gu, (escaped) => (/^\\[pP]/.test(escaped) ? unicodeClass(escaped) : escaped));

/** Long names of the categories (Unicode's aliases), and what Go knows besides; written as Go compares them. */
const ALIASES = new Map(
  Object.entries({
    Any: 'Any',
    Assigned: 'Assigned',
    Ascii: 'Ascii',
    Lc: 'Lc',
    Casedletter: 'Lc',
    Closepunctuation: 'Pe',
    Combiningmark: 'M',
    Connectorpunctuation: 'Pc',
    Control: 'Cc',
    Currencysymbol: 'Sc',
    Dashpunctuation: 'Pd',
    Decimalnumber: 'Nd',
    Enclosingmark: 'Me',
    Finalpunctuation: 'Pf',
    Format: 'Cf',
    Initialpunctuation: 'Pi',
    Letter: 'L',
    Letternumber: 'Nl',
    Lineseparator: 'Zl',
    Lowercaseletter: 'Ll',
    Mark: 'M',
    Mathsymbol: 'Sm',
    Modifierletter: 'Lm',
    Modifiersymbol: 'Sk',
    Nonspacingmark: 'Mn',
    Number: 'N',
    Openpunctuation: 'Ps',
    Other: 'C',
    Otherletter: 'Lo',
    Othernumber: 'No',
    Otherpunctuation: 'Po',
    Othersymbol: 'So',
    Paragraphseparator: 'Zp',
    Privateuse: 'Co',
    Punctuation: 'P',
    Separator: 'Z',
    Spaceseparator: 'Zs',
    Spacingmark: 'Mc',
    Surrogate: 'Cs',
    Symbol: 'S',
    Titlecaseletter: 'Lt',
    Unassigned: 'Cn',
    Uppercaseletter: 'Lu',
    Cntrl: 'Cc',
    Digit: 'Nd',
    Punct: 'P',
    Signwriting: 'SignWriting',
  }),
);

/** Classes of re2js that are no categories and no scripts. */
const FOREIGN =
  /^(ASCII_Hex_Digit|Alphabetic|Dash|Emoji|Emoji_.*|Extended_Pictographic|Hex_Digit|Lowercase|Math|Quotation_Mark|Terminal_Punctuation|Uppercase|White_Space|Unknown)$/i;

function unicodeClass(piece: string): string {
  const name = piece[2] === '{' ? piece.slice(3, -1) : piece.slice(2);
  const negation = name.startsWith('^') ? '^' : '';
  const words = name
    .slice(negation.length)
    .split(/[_\- ]/)
    .filter((word) => word !== '');
  const canonical = capitalize(words.join(''));
  const known = ALIASES.get(canonical) ?? words.map(capitalize).join('_');
  // Left as it is, a foreign name would be understood; without a name it is an error.
  return `${piece.slice(0, 2)}{${negation}${FOREIGN.test(known) ? '' : known}}`;
}

const capitalize = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
