// Tells the shell the page's title and address.
if(window.parent !== window) {
    window.parent.postMessage({setTitle: document.title}, '*');
    window.parent.postMessage({setPath: location.pathname + location.search + location.hash}, '*');
    window.addEventListener('hashchange', function () {
        window.parent.postMessage({setPath: location.pathname + location.search + location.hash}, '*');
    });
}
