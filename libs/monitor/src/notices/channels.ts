import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import { AppConfig } from '#config';
import { AppriseChannel } from './apprise-channel.js';
import type { Channel } from './channel.js';
import { WebhookChannel } from './webhook-channel.js';

/** The channels that are set up, besides the log. */
@Injectable()
export class Channels {
  readonly all: readonly Channel[];

  constructor({ monitor: { appriseUrl, webhook } }: AppConfig, clock: Clock) {
    this.all = [
      ...(appriseUrl === null ? [] : [new AppriseChannel(appriseUrl)]),
      ...(webhook === null ? [] : [new WebhookChannel(webhook.url, webhook.secret, clock)]),
    ];
  }

  find(name: string): Channel | undefined {
    return this.all.find((channel) => channel.name === name);
  }
}
