fn main() {
    println!("From a command: {}", greeting::text());
}
