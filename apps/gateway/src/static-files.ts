import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { ServerResponse } from 'node:http';
import { extname, relative, sep } from 'node:path';
import { CoreError } from '#common';
import { AppConfig, isOwnPath } from '#config';
import { matchesPrefix } from '#proxy';

/** Whoever asks for something there is a program, whatever it accepts; the slices' paths are added to them. */
const PATHS_OF_PROGRAMS: readonly string[] = ['/api', '/socket.io'];

/** Where bundlers put files whose names change with what is in them. */
const BUNDLES = 'assets';

/** What a bundler puts before the extension: 8 characters of base64url, or hexadecimal digits. */
const HASH = /[.-]([\w-]{8}|[\da-f]{10,64})(?:\.[a-z\d]+){1,2}$/;

const FOR_A_YEAR = 'public, max-age=31536000, immutable';
const ASK_EACH_TIME = 'public, max-age=0, must-revalidate';

/** What is said of a file, and of nothing else. */
const HEADERS_OF_A_FILE = ['Accept-Ranges', 'Content-Length', 'Content-Type', 'ETag', 'Last-Modified'];

/**
 * The files of STATIC_DIR, at `/`. They come last: what the edge routes never gets here, and Nest calls this hook between
 * the registration of the controllers and that of what answers 404.
 */
@Injectable()
export class StaticFiles implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    const { http, slices } = this.config;
    if (http.staticDir !== null) this.host.httpAdapter.use(staticFiles(http.staticDir, slices.paths));
  }
}

/**
 * Serves what is in a folder, and its index.html for every page that is not there: the app finds out from the path which
 * one is meant. Files whose names begin with a dot are none, and symbolic links are followed.
 */
function staticFiles(folder: string, slicePaths: readonly string[]): RequestHandler {
  const programs = [...PATHS_OF_PROGRAMS, ...slicePaths].map((path) => path.toLowerCase());
  const serve = express.static(folder, {
    cacheControl: false,
    dotfiles: 'ignore',
    redirect: false,
    setHeaders: (response, path) => describe(response, relative(folder, path)),
  });
  return (request, response, next) => {
    const path = plainPath(request.path);
    if (path === null || isOwnPath(path)) {
      next();
      return;
    }
    const end = (error?: unknown): void => next(error === undefined ? undefined : refusal(response, error));
    serve(request, response, (error?: unknown) => {
      if (error !== undefined || !isNavigation(request) || !isPage(path, programs)) {
        end(error);
        return;
      }
      request.url = '/index.html';
      serve(request, response, end);
    });
  };
}

/**
 * The path as a file system reads it, in small letters: what Express and lenient servers take for a path of our own is no
 * file's either. Null where it can't be decoded.
 */
function plainPath(path: string): string | null {
  try {
    return decodeURIComponent(path)
      .replaceAll(/\/{2,}/g, '/')
      .toLowerCase();
  } catch {
    return null;
  }
}

function isNavigation({ method, headers }: Request): boolean {
  return (method === 'GET' || method === 'HEAD') && /\btext\/html\b/i.test(headers.accept ?? '');
}

function isPage(path: string, programs: readonly string[]): boolean {
  return !path.includes('/.') && !programs.some((prefix) => matchesPrefix(path, prefix));
}

/** @param path below the folder */
function describe(response: ServerResponse, path: string): void {
  response.setHeader('Cache-Control', cacheControlOf(path));
  // On 304, too, where nothing is left to compress (RFC 9110 §15.4.5).
  response.appendHeader('Vary', 'Accept-Encoding');
}

function cacheControlOf(path: string): string {
  if (/^\.html?$/i.test(extname(path))) return 'no-cache';
  return path.startsWith(BUNDLES + sep) && hasHash(path) ? FOR_A_YEAR : ASK_EACH_TIME;
}

/** A word or a date is no hash: whoever took one for it could not change the file for a year. */
function hasHash(path: string): boolean {
  const hash = HASH.exec(path)?.[1] ?? '';
  return /[a-z]/i.test(hash) && /\d|.[A-Z]/.test(hash);
}

/** Takes back what was said of the file, and tells what is wrong as any endpoint does. */
function refusal(response: Response, error: unknown): unknown {
  if (response.headersSent) return error;
  for (const name of HEADERS_OF_A_FILE) response.removeHeader(name);
  response.setHeader('Cache-Control', 'no-store');
  switch (statusIn(error)) {
    case 412:
      return new CoreError('PRECONDITION_FAILED', 'The file is not the one that the request asks for.');
    case 416:
      // `Content-Range` stays: it says how long the file is (RFC 9110 §15.5.17).
      return new CoreError('RANGE_NOT_SATISFIABLE', 'The file does not reach as far as the range.');
    default:
      response.removeHeader('Content-Range');
      return error;
  }
}

function statusIn(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
}
