const express = require('express');

const app = express();
app.get('/', (_request, response) => {
  response.json({ greeting: process.env.GREETING || 'Hello from Express', express: require('express/package.json').version });
});

const server = app.listen(process.env.PORT || 3000, () => console.log('listening'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
