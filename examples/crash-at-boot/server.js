console.log('about to crash');
throw new Error('this app crashes at boot');
