// A certified OpenID provider with one client and a plain sign-in form.
// node server.mjs '{"port": 1, "client_id": "…", "client_secret": "…", "redirect_uri": "…", "after_logout": "…"}'
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Provider } from 'oidc-provider';

const config = JSON.parse(process.argv[2]);
const issuer = `http://localhost:${config.port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'test' };

const provider = new Provider(issuer, {
  clients: [{
    client_id: config.client_id,
    client_secret: config.client_secret,
    redirect_uris: [config.redirect_uri],
    post_logout_redirect_uris: [config.after_logout],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    require_auth_time: true,
  }],
  jwks: { keys: [jwk] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  acrValues: ['urn:countersign:acr:password', 'urn:countersign:acr:mfa'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email'], acr: null, amr: null, auth_time: null, sid: null },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => { ctx.body = `<!DOCTYPE html><html lang="en"><body>${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button></body></html>`; },
    },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, name: id, email: `${id}@meridian.example` }) }),
  // One organisation, one client: consent was given when the client was registered.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid profile email');
    await grant.save();
    return grant;
  },
});

async function interact(request, response) {
  if (request.method === 'GET') {
    const { uid } = await provider.interactionDetails(request, response);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!DOCTYPE html><html lang="en"><body><form method="post" action="/interaction/${uid}">`
      + '<input name="login"><button>Sign in</button></form></body></html>');
    return;
  }
  let body = '';
  for await (const part of request) body += part;
  const { params } = await provider.interactionDetails(request, response);
  const acr = (params.acr_values || 'urn:countersign:acr:password').split(' ')[0];
  await provider.interactionFinished(request, response, {
    login: { accountId: new URLSearchParams(body).get('login'), acr, amr: acr.endsWith('mfa') ? ['pwd', 'otp'] : ['pwd'] },
  }, { mergeWithLastSubmission: false });
}

const callback = provider.callback();
createServer((request, response) => {
  if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch((error) => { response.statusCode = 500; response.end(String(error)); });
  } else {
    callback(request, response);
  }
}).listen(config.port, '127.0.0.1', () => console.log('ready'));
process.stdin.on('end', () => process.exit(0)).resume();
