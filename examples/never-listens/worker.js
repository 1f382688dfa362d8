console.log('running, but not listening on $PORT');
setInterval(() => {}, 60000);
