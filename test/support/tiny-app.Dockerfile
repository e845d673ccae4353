FROM node:26-bookworm-slim
COPY tiny-app.mjs /app/tiny-app.mjs
USER node
CMD ["node", "/app/tiny-app.mjs"]
