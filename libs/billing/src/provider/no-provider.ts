import { BillingError } from '#common';
import { PaymentProvider } from './payment-provider.js';

/** Billing is off: nobody pays, and nobody has to. */
export class NoProvider extends PaymentProvider {
  override findCustomer = disabled;
  override createCustomer = disabled;
  override describeCustomer = disabled;
  override deleteCustomer = disabled;
  override userOfCustomer = disabled;
  override customerOfCharge = disabled;
  override openInvoice = disabled;
  override read = disabled;
  override checkout = disabled;
  override closeCheckouts = disabled;
  override portal = disabled;
  override subscriptions = disabled;
  override eventOf = disabled;
}

/** @throws BillingError BILLING_DISABLED */
export function disabled(): never {
  throw new BillingError('BILLING_DISABLED', 'Billing is not set up here: there is nothing to pay.');
}
