import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit, StreamableFile } from '@nestjs/common';
import { AllowedOrigins, type Principal } from '#auth';
import { AdminError, AuditLog, CoreError, errorCode, validationFailed } from '#common';
import {
  AppConfig,
  type FileText,
  readConfigFile,
  type SaidSettings,
  sentenceOf,
  type SettingsFault,
  type SettingsReading,
  tidyYaml,
} from '#config';
import { ControlConnection, type StoredSettings, Transactions } from '#database';
import { nameOf } from '../actor.js';
import { changedSettings } from './changed-settings.js';
import { writeConfigFile } from './config-file-writer.js';
import { ConfigurationFollower } from './configuration-follower.js';
import { ConfigurationStore } from './configuration-store.js';
import { isNewAtStart, isNewWhileRunning, wasInFile } from './file-news.js';
import { FileWatch } from './file-watch.js';
import type { ChangedConfiguration, ConfigurationFormat, SubmittedConfiguration } from './schemas.js';

/** Across all replicas, one change after the other: what is stored last is also what stands in the file. */
const LOCK = 'configuration';
const LOCK_TIMEOUT_MS = 15_000;

type Usable = Extract<SettingsReading, { readonly settings: object }>;

/**
 * The configuration as the operator sees and changes it. The database holds what is in force, for all replicas; the
 * file is taken at the start when it is newer, and whenever it changes, and is written back where it can be.
 */
@Injectable()
export class ConfigurationService implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(ConfigurationService.name);
  private readonly watch: FileWatch;
  /** What stood in the file when it was last looked at: only another text is a change of it. */
  private seen: string | null = null;
  private readFault = '';
  private writeFault = '';
  private readonly stopping = new AbortController();

  constructor(
    private readonly config: AppConfig,
    private readonly store: ConfigurationStore,
    private readonly follower: ConfigurationFollower,
    private readonly control: ControlConnection,
    private readonly origins: AllowedOrigins,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
  ) {
    this.watch = new FileWatch(config.settingsFile, () => this.lookAtFile());
  }

  /**
   * Before the server listens: the configuration in force is that of the file where it is newer, else the stored one.
   * @throws ConfigError when that one can't be used here
   */
  async onModuleInit(): Promise<void> {
    await this.oneAtATime(() => this.takeNewerFile());
    await this.follower.start();
    this.watch.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.watch.stop();
  }

  /** What is in force: as an object, or the text with its comments and all. Variables stand in it by their names. */
  async show(format: ConfigurationFormat): Promise<SaidSettings | StreamableFile> {
    const text = (await this.store.find())?.text ?? '';
    if (format === 'yaml') {
      return new StreamableFile(Buffer.from(text), { type: 'application/yaml; charset=utf-8' });
    }
    return this.config.settingsReader.saidIn(text);
  }

  /**
   * Puts another configuration in the place of the whole one, here at once and on the other replicas within a moment.
   * @throws CoreError VALIDATION_FAILED with the line of each fault; then nothing is changed
   */
  async replace({ format, text }: SubmittedConfiguration, by: Principal): Promise<ChangedConfiguration> {
    const submitted = this.usable(text);
    if (Object.keys(submitted.said).length === 0) throw nothingSaid();
    // JSON is kept as somebody would have written it, so that the file stays one for people.
    const kept = format === 'json' ? tidyYaml(submitted.said) : text;
    const reading = format === 'json' ? this.usable(kept) : submitted;
    await this.oneAtATime(async (lost) => {
      const revision = await this.changeTo(kept, reading, 'request');
      this.logger.log(`revision ${revision} of the configuration was put in force by ${nameOf(by)}`);
      if (!lost.aborted && (await this.writeBack(kept))) await this.noteWritten(kept);
    });
    return { ok: true, config: reading.said };
  }

  /**
   * Puts in force what stands in the file.
   * @throws CoreError VALIDATION_FAILED with the line of each fault; AdminError CONFIG_FILE_NOT_FOUND
   */
  async reload(by: Principal): Promise<ChangedConfiguration> {
    return this.oneAtATime(async () => {
      const file = this.readFile();
      if (file === null) throw noFile();
      this.seen = file.text;
      const reading = this.read(file.text);
      if (reading.settings === null) throw faultyFile(reading.faults);
      const revision = await this.changeTo(file.text, reading, 'file');
      this.logger.log(`revision ${revision} of the configuration was read from the file for ${nameOf(by)}`);
      return { ok: true, config: reading.said };
    });
  }

  private async takeNewerFile(): Promise<void> {
    const file = readConfigFile(this.config.settingsFile);
    this.seen = file?.text ?? null;
    if (file !== null) await this.takeIfNew(file, isNewAtStart);
  }

  /** The file may have changed while we run. What goes wrong is said once, and looked at again. */
  private async lookAtFile(): Promise<void> {
    try {
      await this.takeChangedFile();
      this.readFault = '';
    } catch (error) {
      const fault = String(errorCode(error) ?? error);
      if (fault !== this.readFault && !this.stopping.signal.aborted) {
        this.logger.warn(`${this.config.settingsFile} may have changed, and can't be read yet (${fault})`);
      }
      this.readFault = fault;
      throw error;
    }
  }

  /** One that is gone changes nothing. */
  private async takeChangedFile(): Promise<void> {
    const { settingsFile } = this.config;
    const now = readConfigFile(settingsFile);
    if (now === null || now.text === this.seen) return;
    await this.oneAtATime(async () => {
      // Once more: it may have been another replica's doing, which is done by now.
      const file = readConfigFile(settingsFile);
      if (file === null || file.text === this.seen) return;
      await this.takeIfNew(file, isNewWhileRunning);
      this.seen = file.text;
    });
  }

  private async takeIfNew(
    file: FileText,
    isNew: (file: FileText, stored: StoredSettings) => boolean,
  ): Promise<void> {
    const stored = await this.store.find();
    if (stored !== null && file.text === stored.text) {
      if (!wasInFile(file.text, stored)) await this.store.noteTaken(file.text);
    } else if (stored === null || isNew(file, stored)) {
      await this.takeFile(file);
    } else {
      this.logger.warn(
        `${this.config.settingsFile} is older than the configuration in force, and was not taken; POST /admin/config/reload takes it`,
      );
    }
  }

  /** Puts a file in force that nobody asked us to read: its faults are for the log. */
  private async takeFile({ text }: FileText): Promise<void> {
    const { settingsFile } = this.config;
    const reading = this.read(text);
    if (reading.settings === null) {
      const reasons = reading.faults.map((fault) => `\n  - ${sentenceOf(fault, settingsFile)}`).join('');
      this.logger.error(`${settingsFile} has faults, and was not taken${reasons}`);
      return;
    }
    const revision = await this.putInForce(text, reading, 'file');
    this.logger.log(`revision ${revision} of the configuration was read from ${settingsFile}`);
  }

  /** Puts it in force for somebody, with its entry in the audit. */
  private async changeTo(text: string, reading: Usable, from: 'file' | 'request'): Promise<number> {
    const revision = await this.transactions.run(async () => {
      const before = await this.store.find();
      const stored = await this.store.save(text, from);
      const was = before === null ? {} : this.config.settingsReader.saidIn(before.text);
      const changes = changedSettings(was, reading.said);
      await this.audit.record({
        action: from === 'file' ? 'config.reload' : 'config.replace',
        target: { kind: 'config', id: String(stored) },
        before: { revision: before?.revision ?? null, ...changes.before },
        after: { revision: stored, ...changes.after },
      });
      return stored;
    });
    this.follower.apply(revision, reading.settings);
    return revision;
  }

  private async putInForce(text: string, { settings }: Usable, from: 'file' | 'request'): Promise<number> {
    const revision = await this.store.save(text, from);
    this.follower.apply(revision, settings);
    return revision;
  }

  /**
   * What is in force is in the database; the file is for people, and need not be writable.
   * @returns whether the file says so now
   */
  private async writeBack(text: string): Promise<boolean> {
    const { settingsFile } = this.config;
    try {
      if (readConfigFile(settingsFile)?.text === text) return true;
      const { backedUp } = await writeConfigFile(settingsFile, text);
      if (!backedUp) this.logger.warn(`${settingsFile} was written, and the one before could not be kept`);
      this.writeFault = '';
      this.seen = text;
      return true;
    } catch (error) {
      const fault = errorCode(error) ?? String(error);
      if (fault === this.writeFault) return false;
      this.writeFault = fault;
      this.logger.warn(
        `${settingsFile} can't be written (${fault}); the configuration is in force all the same`,
      );
      return false;
    }
  }

  /** The change is made by now: that this went wrong must not look as if it were not. */
  private async noteWritten(text: string): Promise<void> {
    try {
      await this.store.noteWritten(text);
    } catch (error) {
      this.logger.warn({ err: error }, `that ${this.config.settingsFile} was written could not be noted`);
    }
  }

  /** @throws CoreError VALIDATION_FAILED when it is there and can't be read */
  private readFile(): FileText | null {
    try {
      return readConfigFile(this.config.settingsFile);
    } catch (error) {
      throw faultyFile(
        [{ path: '', line: null, message: `can't be read (${errorCode(error) ?? ''})` }],
        error,
      );
    }
  }

  private read(text: string): SettingsReading {
    return this.config.settingsReader.read(text, this.origins.ownOrigin);
  }

  private usable(text: string): Usable {
    const reading = this.read(text);
    if (reading.settings === null) throw validationFailed(reading.faults);
    return reading;
  }

  /** @param work gets a signal that tells when the lock was lost, and another replica may be at work */
  private async oneAtATime<T>(work: (lost: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.stopping;
    await using lock = await this.control
      .acquire(LOCK, { timeoutMs: LOCK_TIMEOUT_MS, signal })
      .catch(tooLong);
    return await work(lock.signal);
  }
}

function tooLong(error: unknown): never {
  if (!(error instanceof DOMException) || error.name !== 'TimeoutError') throw error;
  throw new CoreError('CONFLICT', 'Another change of the configuration takes long. Try again.', {
    cause: error,
  });
}

/** Hardly ever what was meant, and it would take every route away. */
function nothingSaid(): CoreError {
  return validationFailed([
    {
      path: '',
      line: null,
      message: 'is empty; to have nothing configured, send a part that is empty, such as routes: []',
    },
  ]);
}

function noFile(): AdminError {
  return new AdminError('CONFIG_FILE_NOT_FOUND', 'There is no file to read. Put one where CONFIG_FILE says.');
}

function faultyFile(faults: readonly SettingsFault[], cause?: unknown): CoreError {
  const message = 'config.yml is not valid, and nothing was changed; `details` names each fault.';
  return new CoreError('VALIDATION_FAILED', message, { details: faults, cause });
}
