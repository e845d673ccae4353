import type { DataSource } from 'typeorm';

/**
 * Makes every statement that contains `text` fail as it does when the connection breaks at that moment, until the
 * function given is called. Everything else goes to the database.
 */
export function rejectQueries(dataSource: DataSource, text: string): () => void {
  const query = dataSource.query.bind(dataSource);
  dataSource.query = (sql: string, ...rest: unknown[]) =>
    sql.includes(text)
      ? Promise.reject(Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' }))
      : Reflect.apply(query, dataSource, [sql, ...rest]);
  return () => {
    dataSource.query = query;
  };
}
