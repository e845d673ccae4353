/** A trouble that lasts for many tries: it is said once, until it is another one, or was over meanwhile. */
export class Complaint {
  #last: string | null = null;

  /** Whether this is not what was said last. */
  isNews(error: unknown): boolean {
    const said = String(error);
    const isNews = said !== this.#last;
    this.#last = said;
    return isNews;
  }

  /** It went well: the same trouble is news again. */
  end(): void {
    this.#last = null;
  }
}
