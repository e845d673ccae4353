import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SessionsService, SessionStore } from '#auth';
import { User, UserIdentity } from '#database';
import { ADMIN_EMAIL, ADMIN_PASSWORD, PASSWORD } from '../../support/auth-app.js';
import { linkIn, MailServer } from '../../support/mail-server.js';
import { OidcBrowser } from '../../support/oidc-browser.js';
import { OidcWorld } from '../../support/oidc-world.js';

/** Which account somebody gets who signs in at the provider. */
describe('an account that is there already', () => {
  let world: OidcWorld;
  beforeAll(async () => {
    world = await OidcWorld.start();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const change = (email: string, what: Partial<User>) =>
    world.app.get(DataSource).getRepository(User).update({ email }, what);

  async function conflict(subject: string, code: string, status: number): Promise<void> {
    const { page, cookie } = await world.signIn(subject);
    expect({ status: page.status, body: JSON.parse(page.text) }).toMatchObject({ status, body: { code } });
    expect(cookie).toBe('');
    expect(await world.app.get(DataSource).getRepository(UserIdentity).findBy({ subject })).toEqual([]);
  }

  it('is taken by its verified address, and keeps its password and its sessions', async () => {
    const { email, body, cookie } = await world.app.register();
    await change(email, { emailVerifiedAt: new Date() });
    const signed = await world.signIn(world.person({ email: email.toUpperCase() }).subject);
    expect((await world.app.me(signed.cookie)).body.user.id).toBe(body.user.id);
    expect((await world.app.me(cookie)).status).toBe(200);
    expect((await world.app.login(email)).status).toBe(200);
  });

  it('whose address nobody had verified loses what a stranger may know: password, second factor, sessions', async () => {
    const { email, body, cookie } = await world.app.register();
    await change(email, {
      totpConfirmedAt: new Date(),
      totpSecretSealed: Buffer.from('sealed'),
      totpLastStep: 1,
    });
    const signed = await world.signIn(world.person({ email }).subject);
    expect((await world.app.me(signed.cookie)).body.user).toMatchObject({
      id: body.user.id,
      emailVerified: true,
      totpEnabled: false,
    });
    expect((await world.app.me(cookie)).status).toBe(401);
    expect((await world.app.login(email)).status).toBe(401);
  });

  it('whose address nobody had verified is left by whoever else signed in to it at the provider', async () => {
    const squatter = world.person({ email_verified: false });
    const { cookie } = await world.signIn(squatter.subject);
    const owner = await world.signIn(world.person({ email: squatter.email }).subject);
    expect((await world.app.me(owner.cookie)).body.user.email).toBe(squatter.email);
    expect((await world.app.me(cookie)).status).toBe(401);
    await conflict(squatter.subject, 'EMAIL_TAKEN', 409);
  });

  it('whose address is shown to be theirs by a mailed link is left by whoever signed in to it before', async () => {
    await using mails = await MailServer.start();
    await using mailing = await OidcWorld.start({ env: { SMTP_URL: mails.url } });
    const squatter = mailing.person({ email_verified: false });
    const { cookie } = await mailing.signIn(squatter.subject);
    await mailing.app.send('POST', '/auth/password/forgot', { body: { email: squatter.email } });
    const token = linkIn(await mails.mailTo(squatter.email, 1)).searchParams.get('token');
    const body = { token, password: PASSWORD };
    expect((await mailing.app.send('POST', '/auth/password/reset', { body })).status).toBe(204);
    expect((await mailing.app.me(cookie)).status).toBe(401);
    expect((await mailing.signIn(squatter.subject)).page.status).toBe(409);
    expect((await mailing.app.login(squatter.email)).status).toBe(200);
  });

  it('that changes while somebody signs in is not signed in to', async () => {
    const { subject, email } = world.person();
    await world.signIn(subject);
    const { id } = await world.app.get(DataSource).getRepository(User).findOneByOrFail({ email });
    const browser = new OidcBrowser();
    const callback = await world.upToCallback(browser, subject);
    const sessions = world.app.get(SessionStore);
    const create = jest.spyOn(sessions, 'create').mockImplementationOnce(async (session) => {
      create.mockRestore();
      await sessions.create(session);
      await world.app.get(SessionsService).endAll(id);
    });
    expect((await browser.open(callback)).status).toBe(401);
  });

  it.each([false, undefined, 'true', 1])(
    'is not given to whom the provider vouches for with %j',
    async (claim) => {
      const { email, cookie } = await world.app.register();
      const { subject } = world.person({ email, email_verified: claim as boolean });
      await conflict(subject, 'EMAIL_TAKEN', 409);
      expect((await world.app.me(cookie)).status).toBe(200);
      expect((await world.app.login(email)).status).toBe(200);
    },
  );

  it("is never given by its address when it is an administrator's", async () => {
    await conflict(world.person({ email: ADMIN_EMAIL }).subject, 'EMAIL_TAKEN', 409);
    expect((await world.app.login(ADMIN_EMAIL, ADMIN_PASSWORD)).status).toBe(200);
  });

  it('that is disabled is not signed in to: neither the first time nor later', async () => {
    const known = world.person();
    await world.signIn(known.subject);
    await change(known.email, { disabledAt: new Date() });
    const { page } = await world.signIn(known.subject);
    expect(page.status).toBe(403);
    expect(JSON.parse(page.text)).toMatchObject({ code: 'ACCOUNT_DISABLED' });

    const { email } = await world.app.register();
    await change(email, { disabledAt: new Date() });
    await conflict(world.person({ email }).subject, 'ACCOUNT_DISABLED', 403);
  });

  it('made by somebody whose address is not verified has no verified one, until the provider says so', async () => {
    const { subject, email } = world.person({ email_verified: false });
    const first = await world.signIn(subject);
    expect((await world.app.me(first.cookie)).body.user).toMatchObject({ email, emailVerified: false });
    world.provider.accounts.set(subject, { email, email_verified: true });
    const second = await world.signIn(subject, new OidcBrowser());
    expect((await world.app.me(second.cookie)).body.user).toMatchObject({ email, emailVerified: true });
  });

  it('gets its first slice once the address is verified, where that is required', async () => {
    await using strict = await OidcWorld.start({ env: { REQUIRE_VERIFIED_EMAIL: 'true' } });
    strict.app.slices.next = { id: 9, name: 'slice-9', status: 'active' };
    const { subject, email } = strict.person({ email_verified: false });
    const first = await strict.signIn(subject);
    expect((await strict.app.me(first.cookie)).body).toMatchObject({ slice: null });
    strict.provider.accounts.set(subject, { email, email_verified: true });
    const second = await strict.signIn(subject, new OidcBrowser());
    expect((await strict.app.me(second.cookie)).body).toMatchObject({ slice: { id: 9 } });
  });
});
