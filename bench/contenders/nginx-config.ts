export interface NginxOptions {
  readonly port: number;
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthority: string;
  /** The shard, and how it is reached. */
  readonly shard: { readonly host: string; readonly port: string };
  readonly shardAuthority: string;
  readonly shardCertificate: string;
  readonly shardKey: string;
  /** Paths below it are sent with the headers, all others without; names and values alternate. */
  readonly prefix: string;
  readonly headers: readonly string[];
  /** Where it may write. */
  readonly folder: string;
}

/** Connections to the shard that are kept, as many as a service of ours keeps. */
const KEPT = 64;

/** One worker that passes on what the fleet passes on, with the same credentials and the same impersonation, and checks nothing. */
export function nginxConfig(options: NginxOptions): string {
  const { certificate, clientAuthority, folder, headers, key, port, prefix, shard } = options;
  const { shardAuthority, shardCertificate, shardKey } = options;
  const impersonation = headers
    .flatMap((name, i) => (i % 2 === 0 ? [`      proxy_set_header ${name} ${quoted(headers[i + 1] ?? '')};`] : []))
    .join('\n');
  // nginx looks for host names only in a certificate, never for addresses; both kinds of shard have one for localhost.
  // A header that is set twice is sent twice, and takes room in one bucket of their hash.
  // What a location sets replaces all that is set around it.
  const common = '      proxy_set_header Host $proxy_host;\n      proxy_set_header Connection "";';
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${quoted(`${folder}/nginx.pid`)};
events { worker_connections 8192; }
http {
  access_log off;
  client_body_buffer_size 64k;
  client_body_temp_path ${quoted(`${folder}/body`)};
  proxy_temp_path ${quoted(`${folder}/proxy`)};
  fastcgi_temp_path ${quoted(`${folder}/fastcgi`)};
  uwsgi_temp_path ${quoted(`${folder}/uwsgi`)};
  scgi_temp_path ${quoted(`${folder}/scgi`)};
  proxy_max_temp_file_size 0;
  proxy_headers_hash_max_size 2048;
  proxy_headers_hash_bucket_size 1024;
  upstream shard {
    server ${shard.host}:${shard.port};
    keepalive ${KEPT};
    keepalive_requests 100000000;
    keepalive_time 24h;
  }
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${quoted(certificate)};
    ssl_certificate_key ${quoted(key)};
    ssl_client_certificate ${quoted(clientAuthority)};
    ssl_verify_client optional;
    keepalive_requests 100000000;
    keepalive_time 24h;
    proxy_http_version 1.1;
    proxy_ssl_certificate ${quoted(shardCertificate)};
    proxy_ssl_certificate_key ${quoted(shardKey)};
    proxy_ssl_trusted_certificate ${quoted(shardAuthority)};
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 3;
    proxy_ssl_name localhost;
    location ${prefix}/ {
${common}
${impersonation}
      proxy_pass https://shard;
    }
    location / {
${common}
      proxy_pass https://shard;
    }
  }
}
`;
}

/** As nginx reads a word. Throws for what it would replace by a variable: there is no way to write a dollar sign. */
function quoted(value: string): string {
  if (/[$\n]/.test(value)) throw new Error(`nginx cannot be given the value ${JSON.stringify(value)}`);
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
