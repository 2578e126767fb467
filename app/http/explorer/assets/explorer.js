// Starts GraphiQL with documents to try, over HTTP for queries and mutations and over one websocket for subscriptions.
"use strict";

(() => {
  const settings = JSON.parse(document.getElementById("settings").textContent);
  const address = new URL(window.location.pathname, window.location.href);
  const socketAddress = new URL(address);
  socketAddress.protocol = address.protocol === "https:" ? "wss:" : "ws:";

  // A browser can set no headers on a websocket, so the token typed into the headers editor goes into connection_init.
  let authorization;
  const remember = (headers) => {
    const name = Object.keys(headers ?? {}).find((each) => each.toLowerCase() === "authorization");
    if (headers[name] !== authorization) {
      authorization = headers[name];
      socket.terminate();
    }
  };
  const socket = window.graphqlWs.createClient({
    url: socketAddress.href,
    connectionParams: () => (authorization ? { authorization } : {}),
  });

  const send = window.GraphiQL.createFetcher({ url: address.href, wsClient: socket });
  const fetcher = (operation, options) => {
    remember(options?.headers ?? {});
    return send(operation, options);
  };

  const parameters = new URLSearchParams(window.location.search);
  const element = window.React.createElement(
    window.GraphiQL,
    {
      fetcher,
      defaultEditorToolsVisibility: true,
      defaultTabs: settings.documents.map((query) => ({ query })),
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
      query: parameters.get("query") ?? undefined,
      variables: parameters.get("variables") ?? undefined,
    },
    window.React.createElement(window.GraphiQL.Logo, null, settings.title),
  );
  window.ReactDOM.render(element, document.getElementById("explorer"));
})();
