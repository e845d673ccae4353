import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiErrors, BODY_ERRORS, CurrentUser, type PrincipalUser, Public, RequireSession } from '#auth';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { CheckoutService } from './checkout/checkout.service.js';
import {
  type Address,
  addressSchema,
  type BillingStatus,
  billingStatusSchema,
  type Received,
  receivedSchema,
} from './checkout/schemas.js';
import { StatusService } from './checkout/status.service.js';
import { type Delivery, WebhookDelivery } from './webhook/delivery.js';
import { WebhookService } from './webhook/webhook.service.js';

@ApiTags('billing')
@ApiErrors('DATABASE_UNAVAILABLE')
@Controller('billing')
export class BillingController {
  constructor(
    private readonly checkouts: CheckoutService,
    private readonly statuses: StatusService,
    private readonly webhooks: WebhookService,
  ) {}

  @Post('create-checkout')
  @RequireSession()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Where to subscribe: a page at Stripe, the same one as long as it offers the same',
  })
  @ApiOkResponse({ description: 'The page', standardSchema: addressSchema })
  @ApiErrors('RATE_LIMITED', 'BILLING_DISABLED', 'ALREADY_SUBSCRIBED', 'BILLING_BUSY')
  @ApiErrors('PAYMENT_PROVIDER_FAILED', 'PAYMENT_PROVIDER_UNAVAILABLE')
  createCheckout(@CurrentUser() user: PrincipalUser): Promise<Address> {
    return this.checkouts.begin(user);
  }

  @Get('portal')
  @RequireSession()
  @ApiOperation({ summary: 'Where to see to payments, invoices and the end: a page at Stripe' })
  @ApiOkResponse({ description: 'The page', standardSchema: addressSchema })
  @ApiErrors('RATE_LIMITED', 'BILLING_DISABLED', 'NOT_SUBSCRIBED', 'BILLING_BUSY')
  @ApiErrors('PAYMENT_PROVIDER_FAILED', 'PAYMENT_PROVIDER_UNAVAILABLE')
  portal(@CurrentUser() user: PrincipalUser): Promise<Address> {
    return this.checkouts.portal(user);
  }

  @Get('status')
  @RequireSession()
  @ApiOperation({ summary: 'One’s own subscription, and whether it opens the app' })
  @ApiOkResponse({ description: 'The subscription', standardSchema: billingStatusSchema })
  status(@CurrentUser() user: PrincipalUser): Promise<BillingStatus> {
    return this.statuses.statusOf(user.id);
  }

  @Post('webhook')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'For Stripe: events, signed over the raw body' })
  @ApiHeader({ name: 'Stripe-Signature', required: true })
  @ApiOkResponse({ description: 'Taken, now or before', standardSchema: receivedSchema })
  @ApiErrors(...BODY_ERRORS, 'WEBHOOK_REJECTED', 'BILLING_DISABLED', 'BILLING_BUSY')
  @ApiErrors('PAYMENT_PROVIDER_FAILED', 'PAYMENT_PROVIDER_UNAVAILABLE')
  webhook(@WebhookDelivery() delivery: Delivery): Promise<Received> {
    return this.webhooks.take(delivery);
  }
}
