"""The pages under /dashboard, server-rendered, readable without JavaScript. Flask."""
