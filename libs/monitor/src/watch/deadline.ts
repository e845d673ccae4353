/** The outcome of some work, if it has one in time; what comes later is nobody's. @throws DOMException TimeoutError */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')),
    ms,
  );
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
