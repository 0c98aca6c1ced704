import { REFUSALS, type Refusal } from './fields.ts';
import { refuseBeginning } from './head.ts';

/** Collects a head that may come in pieces. Costs linear time however small the pieces are. */
export class HeadReader {
  /** The whole text once `add` said true: the head, then what came behind it. */
  text = '';
  /** Behind the empty line. */
  end = 0;
  refusal: Refusal | undefined;
  readonly #maxBytes: number;
  #parts: string[] = [];
  #bytes = 0;
  /** The last three characters: the end of a head may lie across pieces. */
  #tail = '';

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Nothing of a head has come. */
  get empty(): boolean {
    return this.#bytes === 0;
  }

  /** True when the head is whole. Else more is wanted, unless there is a refusal. */
  add(piece: string): boolean {
    const first = this.#bytes === 0;
    const seen = first ? piece : this.#tail + piece;
    const index = seen.indexOf('\r\n\r\n');
    if (index === -1) {
      this.#collect(piece, seen, first);
      return false;
    }
    if (first) {
      this.text = piece;
      this.end = index + 4;
    } else {
      this.end = this.#bytes - this.#tail.length + index + 4;
      this.#parts.push(piece);
      this.text = this.#parts.join('');
      this.reset();
    }
    if (this.end <= this.#maxBytes) return true;
    this.refusal = REFUSALS.headTooLarge;
    return false;
  }

  #collect(piece: string, seen: string, first: boolean): void {
    this.#parts.push(piece);
    this.#bytes += piece.length;
    this.#tail = seen.slice(-3);
    this.refusal = this.#bytes > this.#maxBytes ? REFUSALS.headTooLarge : refuseBeginning(seen, first);
  }

  reset(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#tail = '';
  }
}
