import type { ConfigError } from '../base/errors.ts';

/** One line of `check`. */
export interface Finding {
  readonly level: 'error' | 'warning';
  readonly code: string;
  /** What is wrong, and what to write instead. */
  readonly message: string;
  readonly file?: string | undefined;
  /** 1-based. */
  readonly line?: number | undefined;
  /** As `http.routers.blog`. */
  readonly object?: string | undefined;
}

export const FORMATS = ['text', 'json', 'github'] as const;
export type Format = (typeof FORMATS)[number];

export const findingOf = (level: Finding['level'], { code, message, place }: ConfigError): Finding => ({
  level,
  code,
  message,
  file: place.source,
  line: place.line,
  object: place.object,
});

/** In the order of files and lines; each said once. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  const unique = findings.filter(({ level, message, file, line, object }) => {
    const key = JSON.stringify([level, message, file, line, object]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const rank = ({ file = '\uffff' }: Finding): string => file;
  return unique.sort((a, b) => rank(a).localeCompare(rank(b)) || (a.line ?? 0) - (b.line ?? 0));
}

export const countOf = (findings: readonly Finding[], level: Finding['level']): number =>
  findings.filter((finding) => finding.level === level).length;

export function formatFindings(findings: readonly Finding[], format: Format, colours: boolean): string {
  const errors = countOf(findings, 'error');
  const warnings = countOf(findings, 'warning');
  if (format === 'json') return `${JSON.stringify({ errors, warnings, findings }, undefined, 2)}\n`;
  if (format === 'github') return findings.map((finding) => `${githubLine(finding)}\n`).join('');
  const lines = findings.map((finding) => textLine(finding, colours));
  return `${[...lines, findings.length === 0 ? 'No problem found.' : `${amount(errors, 'error')}, ${amount(warnings, 'warning')}`].join('\n')}\n`;
}

const amount = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function textLine({ level, message, file, line, object }: Finding, colours: boolean): string {
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
  const word = level === 'error' ? 'error' : 'warning';
  const tinted = colours ? `\u001b[${level === 'error' ? 31 : 33}m${word}\u001b[0m` : word;
  return `${place}${tinted}: ${object === undefined ? '' : `${object} `}${message}`;
}

/** A workflow command, which a forge shows beside the line. */
function githubLine({ level, message, file, line, object }: Finding): string {
  const properties = [
    ...(file === undefined ? [] : [`file=${escapeProperty(file)}`]),
    ...(line === undefined ? [] : [`line=${line}`]),
    ...(object === undefined ? [] : [`title=${escapeProperty(object)}`]),
  ];
  const text = object === undefined ? message : `${object} ${message}`;
  return `::${level}${properties.length > 0 ? ` ${properties.join(',')}` : ''}::${escapeData(text)}`;
}

const escapeData = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
