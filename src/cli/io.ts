/** What a command may have of the terminal; tests hand in their own. */
export interface Io {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is a terminal: colours and progress only then. */
  readonly isTty: boolean;
  /** The same of standard error. */
  readonly isErrorTty?: boolean;
}

/** Resolves with the exit code: 0 done, 1 something is wrong, 2 wrong usage. */
export type Command = (args: string[], io: Io) => Promise<number>;

export const processIo = (): Io => ({
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  cwd: process.cwd(),
  env: process.env,
  isTty: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  isErrorTty: process.stderr.isTTY === true,
});
