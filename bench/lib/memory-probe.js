/* Preloaded into a server: collects its garbage and tells what memory is left in use, when its parent asks. */
process.on('message', () => {
  globalThis.gc();
  globalThis.gc();
  process.send(process.memoryUsage());
});
process.channel.unref();
