/** The error that a promise rejects with. @throws Error when it does not. */
export const failureOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error("It did not fail.");
    },
    (error: Error) => error,
  );
