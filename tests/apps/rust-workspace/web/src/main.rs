//! Answers every request with a word of a crate that comes along in vendor/.
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".into());
    let listener = TcpListener::bind(format!("0.0.0.0:{port}"))?;
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let Ok(copy) = stream.try_clone() else { continue };
        let head = BufReader::new(copy).lines();
        head.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
        let text = greeting::text();
        // Whoever hung up before the answer came is no reason to end.
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
    }
    Ok(())
}
