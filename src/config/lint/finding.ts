/** Something that a person should know about one object of a configuration that can be used. */
export interface Hint {
  /** As `http.routers.blog@docker`. */
  readonly object: string;
  readonly message: string;
}
