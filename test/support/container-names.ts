import dns from 'node:dns';
import Docker from 'dockerode';

/** Not test/support/docker.ts's: that is Jest's, and this runs in a gateway's process. */
const docker = new Docker();

/**
 * Lets this process, which is no container, find slices by their names as the gateway's container does on the networks
 * it has joined. The host itself is on each of them.
 */
export function findContainersByName(): void {
  const lookup: (...args: never[]) => void = dns.lookup;
  const byName = (name: string, ...rest: never[]): void => {
    const callback: (...answer: unknown[]) => void = rest.at(-1) as never;
    const all = Object(rest[0])['all'] === true;
    const answer = (address: string): void =>
      all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4);
    if (!/-slice-\d+$/.test(name)) lookup(...([name, ...rest] as never[]));
    else void addressOf(name).then(answer, callback);
  };
  Object.assign(dns, { lookup: Object.assign(byName, lookup) });
}

async function addressOf(container: string): Promise<string> {
  const { NetworkSettings } = await docker.getContainer(container).inspect();
  const [endpoint] = Object.values(NetworkSettings.Networks);
  return endpoint?.IPAddress ?? '';
}
