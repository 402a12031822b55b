import tls from 'node:tls';
import { createAuthority } from '@kcp-vw/pki/pki.ts';

const ca = createAuthority({ commonName: 'ca' });
const i1 = ca.issueAuthority({ commonName: 'i1' });
const i2 = i1.issueAuthority({ commonName: 'i2' });
const leaf = i2.issue({ commonName: 'leaf', usage: 'client' });
const sv = i2.issue({ commonName: 's', usage: 'server', sans: ['DNS:localhost'] });
await new Promise<void>(r => {
  const s = tls
    .createServer(
      {
        cert: [sv, i2, i1].map(x => x.certPem).join('\n'),
        key: sv.keyPem,
        ca: [ca.certPem],
        requestCert: true,
        rejectUnauthorized: false,
      },
      sock => {
        const raw = (sock as any)._handle.getPeerCertificate(true);
        console.log('server', Object.keys(raw), raw.issuerCertificate);
        for (const k of ['getPeerCertificate', 'getPeerX509Certificate']) console.log(k, typeof (sock as any)[k]);
        const x = sock.getPeerX509Certificate();
        console.log(x?.issuerCertificate?.subject);
        sock.end('x');
        s.close(() => r());
      },
    )
    .listen(0, () => {
      const c = tls.connect(
        {
          port: (s.address() as any).port,
          servername: 'localhost',
          ca: ca.certPem,
          cert: [leaf, i2, i1].map(x => x.certPem).join('\n'),
          key: leaf.keyPem,
        },
        () => {
          const x = c.getPeerX509Certificate();
          console.log('client', x?.issuerCertificate?.subject, (c.getPeerCertificate(true) as any).issuerCertificate?.subject);
        },
      );
      c.on('error', () => {});
    });
});
