<?php
require __DIR__ . '/../vendor/autoload.php';

$database = new PDO('sqlite::memory:');
$said = $database->query("SELECT 'sqlite says ' || sqlite_version()")->fetchColumn();
header('Content-Type: text/plain');
echo Greeter\Greeting::to('reader'), ': ', App\Sum::of('40.5', '1.5'), ", $said, $_SERVER[REQUEST_URI]\n";
echo Composer\InstalledVersions::isInstalled('sample/only-for-tests') ? "with" : "without", " packages for tests\n";
