/** What is wrong with a template, and where in its text. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly offset: number | undefined;
  /** The template costs more than allowed. */
  readonly limit: boolean;
  constructor(message: string, offset?: number, limit = false) {
    super(message);
    this.offset = offset;
    this.limit = limit;
  }
}
