//! Health and metrics on a separate address and thread, so that they respond while every worker is busy.

use std::{io, net::TcpListener, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, http::header::ContentType, web};

use super::{
    app::{not_found, readable},
    health::{self, Health},
    metrics,
};

/// Mounts the admin routes.
pub fn mount(health: web::Data<Health>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config
            .app_data(health)
            .service(readable("/healthz", health::alive))
            .service(readable("/readyz", health::ready))
            .service(readable("/metrics", counted))
            .default_service(web::to(not_found));
    }
}

async fn counted() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body(metrics::recorder().render())
}

/// Starts the admin server in a new thread. It runs until the process exits, also while the API drains.
pub fn spawn(listener: TcpListener, health: Health) -> io::Result<()> {
    metrics::recorder();
    let serve = move || {
        actix_web::rt::System::new().block_on(async move {
            actix_web::rt::spawn(keep_small());
            actix_web::rt::spawn(health.clone().keep_asking());
            let health = web::Data::new(health);
            HttpServer::new(move || App::new().configure(mount(health.clone())))
                .workers(1)
                .disable_signals()
                .listen(listener)?
                .run()
                .await
        })
    };
    let report = move || {
        if let Err(error) = serve() {
            tracing::error!(%error, "the admin listener failed");
        }
    };
    std::thread::Builder::new().name("admin".to_owned()).spawn(report).map(drop)
}

/// Runs the recorder's upkeep: recorded durations accumulate in memory until then, even if nothing reads the metrics.
async fn keep_small() {
    let mut every = tokio::time::interval(Duration::from_secs(5));
    loop {
        every.tick().await;
        metrics::recorder().run_upkeep();
    }
}
