import Fastify from 'fastify';
import proxy from '@fastify/http-proxy';

const [, , port, upstream] = process.argv;
const app = Fastify();
await app.register(proxy, { upstream });
await app.listen({ port: Number(port), host: '127.0.0.1', backlog: 1024 });
