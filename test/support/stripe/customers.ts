import { customerObject } from './objects.js';
import { invalid, type Params } from './params.js';
import { page, type Route } from './routes.js';
import type { StripeWorld } from './world.js';

const FIELDS = ['email', 'name', /^metadata\[\w+\]$/];

/** `/v1/customers` */
export function customerRoutes(world: StripeWorld): Route[] {
  const update = (params: Params, id: string): object => {
    const customer = world.livingCustomer(id, 'id');
    requireAddress(params);
    const { email = customer.email, name = customer.name } = params;
    Object.assign(customer, { email, name });
    return customerObject(customer);
  };
  return [
    {
      method: 'POST',
      path: /^\/v1\/customers$/,
      allowed: FIELDS,
      answer: (params) => {
        requireAddress(params);
        return customerObject(world.createCustomer(params));
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/customers$/,
      allowed: ['email', 'limit', 'starting_after'],
      answer: (params) => {
        const living = [...world.customers.values()].filter(
          ({ deleted, email }) => !deleted && (params['email'] === undefined || email === params['email']),
        );
        return page(living, params, customerObject, '/v1/customers');
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/customers\/([^/]+)$/,
      allowed: [],
      answer: (_params, id) => customerObject(world.customer(id, 'id')),
    },
    { method: 'POST', path: /^\/v1\/customers\/([^/]+)$/, allowed: FIELDS, answer: update },
    {
      method: 'DELETE',
      path: /^\/v1\/customers\/(\w+)$/,
      allowed: [],
      answer: (_params, id) => {
        world.livingCustomer(id, 'id');
        world.deleteCustomer(id);
        return { id, object: 'customer', deleted: true };
      },
    },
  ];
}

/** Stripe takes fewer addresses than we do. */
function requireAddress({ email }: Params): void {
  if (email !== undefined && !/^\S+@\S+\.\S+$/.test(String(email)))
    throw invalid(`Invalid email address: ${String(email)}`, 'email');
}
