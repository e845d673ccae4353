export { AdminModule } from './admin.module.js';
export { ApiDocument } from './documentation/api-document.js';
export { YAML_TYPES } from './config/schemas.js';
