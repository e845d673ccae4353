import type Docker from 'dockerode';
import { StartFailedError } from '../errors.js';
import { ask, EngineRefusal, find } from './engine.js';

/**
 * The image as this host has it, pulled if it has not. The engine pulls without credentials: an image of a private
 * registry is to be put on the host beforehand.
 * @throws StartFailedError when it is neither here nor to be had
 */
export async function ensureImage(
  docker: Docker,
  name: string,
  signal?: AbortSignal,
): Promise<Docker.ImageInspectInfo> {
  const image = docker.getImage(name);
  const here = await find(image.inspect());
  if (here !== null) return here;
  try {
    await pull(docker, name, signal);
  } catch (cause) {
    if (!(cause instanceof EngineRefusal)) throw cause;
    throw new StartFailedError(
      `the image ${name} is not on this host, and can't be pulled: ${cause.reason}`,
      '',
      {
        cause,
      },
    );
  }
  return ask(image.inspect());
}

async function pull(docker: Docker, name: string, signal?: AbortSignal): Promise<void> {
  // Without a tag the engine would pull every one there is.
  const reference = /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
  const progress = await ask(docker.pull(reference, { abortSignal: signal }));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  docker.modem.followProgress(progress, (error) => {
    if (error === null) resolve();
    else reject(new EngineRefusal(500, error.message, { cause: error }));
  });
  await promise;
}
