import { applyDecorators } from '@nestjs/common';

type Swagger = typeof import('@nestjs/swagger');
type Decorator = MethodDecorator & ClassDecorator;

const waiting: ((swagger: Swagger) => void)[] = [];

/*
 * The decorators of @nestjs/swagger, to be written as its own: each is kept, and takes effect when somebody asks for the
 * document. The library is five hundred files, a sixth of all that a start would have to load, and most gateways are
 * never asked.
 */
export const ApiAcceptedResponse = deferred((swagger) => swagger.ApiAcceptedResponse);
export const ApiBody = deferred((swagger) => swagger.ApiBody);
export const ApiConsumes = deferred((swagger) => swagger.ApiConsumes);
export const ApiCreatedResponse = deferred((swagger) => swagger.ApiCreatedResponse);
export const ApiHeader = deferred((swagger) => swagger.ApiHeader);
export const ApiNoContentResponse = deferred((swagger) => swagger.ApiNoContentResponse);
export const ApiOkResponse = deferred((swagger) => swagger.ApiOkResponse);
export const ApiOperation = deferred((swagger) => swagger.ApiOperation);
export const ApiProduces = deferred((swagger) => swagger.ApiProduces);
export const ApiQuery = deferred((swagger) => swagger.ApiQuery);
export const ApiResponse = deferred((swagger) => swagger.ApiResponse);
export const ApiSecurity = deferred((swagger) => swagger.ApiSecurity);
export const ApiTags = deferred((swagger) => swagger.ApiTags);

/**
 * @nestjs/swagger, once every decorator above has taken effect, in the order in which they were written. One that throws
 * goes on waiting, and those behind it, so that a later call can still have them all.
 */
export async function loadSwagger(): Promise<Swagger> {
  const swagger = await import('@nestjs/swagger');
  for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
    next(swagger);
    waiting.shift();
  }
  return swagger;
}

function deferred<Options extends unknown[]>(
  of: (swagger: Swagger) => (...options: Options) => ClassDecorator | MethodDecorator,
): (...options: Options) => Decorator {
  return (...options) =>
    (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
      waiting.push((swagger) => applyDecorators(of(swagger)(...options))(target, key, descriptor));
    };
}
