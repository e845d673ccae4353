import { Stripe } from 'stripe';

/**
 * The SDK's own client, but for one thing: the SDK takes any JSON without `error` for what was asked for, whatever the
 * status. Something between us and Stripe may answer so; it is made the same as an answer that is no JSON.
 */
export function stripeHttp() {
  const client = Stripe.createNodeHttpClient();
  const makeRequest = client.makeRequest.bind(client);
  client.makeRequest = async (...args) => {
    const response = await makeRequest(...args);
    const toJSON = response.toJSON.bind(response);
    response.toJSON = async () => {
      const body: unknown = await toJSON();
      if (!isStripes(body, response.getStatusCode()))
        throw new SyntaxError(`${response.getStatusCode()} is no answer of Stripe's`);
      return body;
    };
    return response;
  };
  return client;
}

function isStripes(body: unknown, status: number): boolean {
  if (typeof body !== 'object' || body === null) return false;
  return (status >= 200 && status < 300) || ('error' in body && Boolean(body.error));
}
