// The bytes of one log → its lines. A character or a line may come in pieces; a line that is not finished is given after a while
// all the same (a prompt, a progress bar), and again when there is more of it.
export const LINE_CHARS_MAX = 64 << 10;

export interface RawLine {
  text: string;
  cut: number; // characters that were left out at its end
  isMore: boolean; // it is the last one again, with more of it
}

export class Splitter {
  private decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  private partial = "";
  private cut = 0;
  private isShown = false; // the unfinished line was given already
  private isFresh = false; // something was added to it since

  add(bytes: Uint8Array): RawLine[] {
    const pieces = this.decoder.decode(bytes, { stream: true }).split("\n");
    const lines: RawLine[] = [];
    pieces.forEach((piece, index) => {
      this.append(piece);
      if (index < pieces.length - 1) lines.push(this.finish());
    });
    return lines;
  }

  private append(piece: string): void {
    if (!piece) return;
    const room = Math.max(0, LINE_CHARS_MAX - this.partial.length);
    this.partial += piece.slice(0, room);
    this.cut += Math.max(0, piece.length - room);
    this.isFresh = true;
  }

  private take(): RawLine {
    const line = { text: this.partial.replace(/\r$/, ""), cut: this.cut, isMore: this.isShown };
    this.isFresh = false;
    this.isShown = true;
    return line;
  }

  private finish(): RawLine {
    const line = this.take();
    this.partial = "";
    this.cut = 0;
    this.isShown = false;
    return line;
  }

  // The unfinished line, if there is more of it than was given.
  rest(): RawLine | null {
    return this.isFresh && this.partial ? this.take() : null;
  }

  // The log begins anew: what was unfinished stays so.
  restart(): RawLine | null {
    const line = this.isFresh && this.partial ? this.finish() : null;
    this.decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    this.partial = "";
    this.cut = 0;
    this.isShown = false;
    this.isFresh = false;
    return line;
  }
}

export function bytesOf(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
