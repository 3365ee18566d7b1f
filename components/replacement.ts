/**
 * For a resource whose name in the cluster follows from its arguments: when they change, the old one is deleted before the
 * new one is made. The other way round, an `up` that fails in between would keep the old one as waiting to be deleted, and
 * going back would end in "already exists" with every later `up`.
 */
export const goesFirst = { deleteBeforeReplace: true } as const;
