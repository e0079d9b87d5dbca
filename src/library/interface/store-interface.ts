/**
 * A place for logins that a program brings along, such as a table of its database: texts with names, each replaced as a whole, by a caller that has read the current one.
 * The texts are sealed (AES-256-GCM), so that whoever reads the place learns nothing, and changes nothing unnoticed; the key is `storeKey`,
 * `storeKeyFile` or `storeKeyCommand`. Programs on many machines that use one place share its logins. `fileStore` makes one of a folder.
 *
 * A call that rejects, or has no answer after 5 seconds, means that the place cannot be reached now. Nothing is called twice for that.
 */
export interface LoginStore {
  /** The current value of this name; undefined: there is none. `version` is any string that changes with each write. */
  read(name: string): Promise<{ readonly value: string; readonly version: string } | undefined>;
  /**
   * Writes `value` if the version is still this one (undefined: if there is none), atomically for all users of the store. False: it is not, and nothing was
   * written. Rejects if it may have been written. Names have up to 200 characters, values up to 450,000.
   */
  write(name: string, value: string, version: string | undefined): Promise<boolean>;
}
