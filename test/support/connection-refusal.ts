import { Client, type ClientConfig } from 'pg';

/** Tries to connect. @returns null when it worked, else the SQLSTATE of the refusal */
export async function connectionRefusal(connection: ClientConfig | string): Promise<string | null> {
  const client = new Client(connection);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return null;
  } catch (error) {
    return Object(error).code ?? String(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}
