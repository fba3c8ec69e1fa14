<?php
const GREETING = 'Hello from a page';
if ($_SERVER['REQUEST_URI'] === '/warn') {
    error_log('a line for the logs');
}
header('Content-Type: text/plain');
printf("%s, PHP %s, %s %s\n", GREETING, PHP_VERSION, $_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI']);
printf("mb: %d, json: %s\n", mb_strlen('Ä'), json_encode(['https' => $_SERVER['HTTPS'] ?? '', 'who' => $_SERVER['REMOTE_ADDR']]));
