fn main() {
    let greeting = "Hello";
    println!("{}", greting);
}
