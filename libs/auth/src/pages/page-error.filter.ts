import { Catch, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { type DomainError, DomainErrorFilter, plainMessage } from '#common';
import { html, page, PAGE_POLICY, PAGE_TYPE } from './page.js';

/** Says to a person in front of a browser what the error says to a program, with the same status. */
@Catch()
@Injectable()
export class PageErrorFilter extends DomainErrorFilter {
  protected override write(error: DomainError, _request: Request, response: Response): void {
    response.setHeader('Content-Security-Policy', PAGE_POLICY);
    response.type(PAGE_TYPE).send(page('That did not work', html`<p>${plainMessage(error)}</p>`));
  }
}
