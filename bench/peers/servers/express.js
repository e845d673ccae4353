import { Agent } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const [, , port, upstream] = process.argv;
const app = express();
// By default it opens a connection for each request.
const agent = new Agent({ keepAlive: true });
app.use(createProxyMiddleware({ target: upstream, changeOrigin: false, xfwd: true, agent }));
app.listen(Number(port), '127.0.0.1', 1024);
