package sample;

public final class Hello {
    public static void main(String[] arguments) {
        Strin greeting = "never";
        System.out.println(greeting);
    }
}
