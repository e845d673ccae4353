import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { AllowedOrigins } from '#auth';
import {
  AppConfig,
  ConfigError,
  type FileSettings,
  sentenceOf,
  type SettingsFault,
  SettingsInForce,
} from '#config';
import { ControlConnection } from '#database';
import { CONFIGURATION_CHANGED, ConfigurationStore } from './configuration-store.js';

const RETRY_MS = 1000;

/** Puts into force on this replica what any of them has stored. */
@Injectable()
export class ConfigurationFollower implements OnModuleDestroy {
  private readonly logger = new Logger(ConfigurationFollower.name);
  private readonly endings: (() => void)[] = [];
  private revision = 0;
  private following: Promise<void> | null = null;
  private again = false;
  private stopped = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly config: AppConfig,
    private readonly settings: SettingsInForce,
    private readonly store: ConfigurationStore,
    private readonly control: ControlConnection,
    private readonly origins: AllowedOrigins,
  ) {}

  /**
   * From now on whatever is stored is taken over. Resolves when what is stored already is in force.
   * @throws ConfigError when that can't be used here: the other replicas would do something else than this one
   */
  async start(): Promise<void> {
    await this.take((faults) => {
      throw new ConfigError(faults.map((fault) => sentenceOf(fault, 'the stored configuration')));
    });
    const follow = (): void => void this.follow();
    this.endings.push(await this.control.listen(CONFIGURATION_CHANGED, follow));
    // While the connection was away, nobody told us anything.
    this.endings.push(this.control.onRestored(follow));
    await this.follow();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    for (const end of this.endings) end();
    await this.following;
  }

  /** Puts a revision into force here, unless a later one is already. */
  apply(revision: number, settings: FileSettings): void {
    if (revision <= this.revision) return;
    this.revision = revision;
    this.settings.replace(settings);
  }

  /** Reads what is stored; a call during that makes it read once more. */
  private follow(): Promise<void> {
    this.again = true;
    this.following ??= this.run();
    return this.following;
  }

  private async run(): Promise<void> {
    while (this.again && !this.stopped) {
      this.again = false;
      try {
        await this.take(this.logUnusable);
      } catch (error) {
        this.logger.warn({ err: error }, 'the configuration could not be read; it is tried again');
        clearTimeout(this.retry);
        this.retry = setTimeout(() => void this.follow(), RETRY_MS).unref();
      }
    }
    this.following = null;
  }

  private async take(
    onUnusable: (faults: readonly SettingsFault[], revision: number) => void,
  ): Promise<void> {
    const stored = await this.store.find();
    if (stored === null || stored.revision <= this.revision) return;
    const { settings, faults } = this.config.settingsReader.read(stored.text, this.origins.ownOrigin);
    if (settings !== null) {
      this.apply(stored.revision, settings);
      this.logger.log(`revision ${stored.revision} of the configuration is in force`);
      return;
    }
    // Said once: the same text stays as unusable as it is until another one comes.
    this.revision = stored.revision;
    onUnusable(faults, stored.revision);
  }

  private readonly logUnusable = (faults: readonly SettingsFault[], revision: number): void => {
    const reasons = faults.map((fault) => `\n  - ${sentenceOf(fault, 'the configuration')}`).join('');
    this.logger.error(
      `revision ${revision} of the configuration can't be used here; what was in force stays${reasons}`,
    );
  };
}
