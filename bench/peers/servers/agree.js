import { createServer } from 'node:http';

/* For nginx's auth_request: lets everybody pass. */
const [, , port] = process.argv;
createServer((_req, res) => res.end()).listen(Number(port), '127.0.0.1', 1024);
