//! A small web app: a server of a crate, and a file of its own folder.
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;
use tiny_http::{Response, Server};

fn main() {
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".into());
    let server = Server::http(format!("0.0.0.0:{port}")).expect("the port is free");
    let mut signals = Signals::new([SIGTERM]).expect("signals can be handled");
    std::thread::spawn(move || {
        signals.forever().next();
        std::process::exit(0);
    });
    for request in server.incoming_requests() {
        let text = match request.url() {
            "/file" => std::fs::read_to_string("page.txt").unwrap_or_default(),
            _ => "Hello from tiny_http\n".into(),
        };
        let _ = request.respond(Response::from_string(text));
    }
}
