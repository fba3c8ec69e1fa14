from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import path


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello from Django: {static('hello.css')}\n")


urlpatterns = [path("", hello)]
