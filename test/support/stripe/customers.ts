import { customerObject } from './objects.js';
import type { Params } from './params.js';
import type { Route } from './routes.js';
import type { StripeWorld } from './world.js';

const FIELDS = ['email', 'name', /^metadata\[\w+\]$/];

/** `/v1/customers` */
export function customerRoutes(world: StripeWorld): Route[] {
  const update = (params: Params, id: string): object => {
    const customer = world.livingCustomer(id, 'id');
    const { email = customer.email, name = customer.name } = params;
    Object.assign(customer, { email, name });
    return customerObject(customer);
  };
  return [
    {
      method: 'POST',
      path: /^\/v1\/customers$/,
      allowed: FIELDS,
      answer: (params) => customerObject(world.createCustomer(params)),
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
