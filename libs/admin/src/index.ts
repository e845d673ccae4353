export { AdminModule } from './admin.module.js';
export { YAML_TYPES } from './config/schemas.js';
