// The part of tar-fs 3 that is used here; it has no types of its own.
declare module "tar-fs" {
  interface Header {
    name: string;
    uid: number;
    gid: number;
    uname?: string;
    gname?: string;
  }

  /** A stream of the `streamx` kind: it can be piped and iterated, but lacks some of Node's methods. */
  interface Pack extends NodeJS.ReadableStream {
    entry(header: { name: string }, content: Buffer): void;
    finalize(): void;
  }

  export function pack(
    folder: string,
    options: {
      entries: string[];
      map: (header: Header) => Header;
      /** Whether the archive ends after the entries. Default true. */
      finalize?: boolean;
      finish?: (pack: Pack) => void;
    },
  ): Pack;
}
