//! What Rust sources of web frameworks are lowered to: routers, handlers, extractors, middleware.

mod common;

use gatewatch_syntax::facts::Language;

fn rust(name: &str, source: &str) {
    common::snapshot(&format!("rust__{name}"), Language::Rust, source);
}

#[test]
fn axum_router() {
    rust(
        "axum_router",
        r#"
use axum::{Router, middleware, routing::{get, post}};

const PREFIX: &str = "/api";

pub fn app(state: AppState) -> Router<AppState> {
    let public = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/login", post(auth::login));
    let mut private = Router::new()
        .route("/items/{id}", get(items::read).put(items::write).delete(items::remove))
        .nest(&format!("{PREFIX}/v{}", 2), users::router())
        .route_layer(middleware::from_fn_with_state(state.clone(), auth::require));
    if state.config.admin {
        private = private.merge(admin::router());
    }
    Router::new()
        .merge(public)
        .nest("/api", private)
        .layer(middleware::from_extractor::<RequireAuth>())
        .layer(CorsLayer::permissive())
        .with_state(state)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(("0.0.0.0", 3000)).await?;
    axum::serve(listener, app(AppState::default()).into_make_service()).await?;
    Ok(())
}
"#,
    );
}

#[test]
fn extractor() {
    rust(
        "extractor",
        r#"
pub struct AuthUser {
    pub id: Uuid,
    role: Role,
}

impl<S> FromRequestParts<S> for AuthUser
where
    S: Send + Sync,
{
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let Some(header) = parts.headers.get(AUTHORIZATION) else {
            return Err(AppError::Unauthorized);
        };
        let token = header.to_str().map_err(|_| AppError::Unauthorized)?;
        let claims = decode::<Claims>(token, &KEYS.decoding, &Validation::default())
            .map_err(|error| {
                warn!("bad token {token}: {}", error);
                AppError::Unauthorized
            })?
            .claims;
        if claims.expires < now() {
            Err(AppError::Unauthorized)
        } else {
            Ok(AuthUser { id: claims.sub, role: claims.role })
        }
    }
}
"#,
    );
}

#[test]
fn axum_handlers() {
    rust(
        "axum_handlers",
        r#"
#[debug_handler]
pub async fn read(
    State(AppState { db, .. }): State<AppState>,
    Path((org, id)): Path<(Uuid, i64)>,
    user: Option<AuthUser>,
    Query(page): Query<Page>,
    mut req: Request<Body>,
) -> Result<Json<Item>, StatusCode> {
    let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
    let item = sqlx::query_as!(Item, "select * from items where id = $1", id)
        .fetch_optional(&db)
        .await
        .map_err(internal)?
        .ok_or(StatusCode::NOT_FOUND)?;
    if item.owner != user.id && !user.is_admin() {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(Json(item))
}

pub async fn require(
    State(state): State<AppState>,
    mut req: Request,
    next: Next,
) -> Result<impl IntoResponse, (StatusCode, &'static str)> {
    match req.headers().get("x-api-key").and_then(|key| key.to_str().ok()) {
        Some(key) if state.keys.contains(key) => {
            req.extensions_mut().insert(CurrentUser(key.to_owned()));
            Ok(next.run(req).await)
        }
        Some(_) => Err((StatusCode::FORBIDDEN, "wrong key")),
        None => return Err((StatusCode::UNAUTHORIZED, "no key")),
    }
}
"#,
    );
}

#[test]
fn tower_service() {
    rust(
        "tower_service",
        r#"
impl<S, B> Service<Request<B>> for AuthMiddleware<S>
where
    S: Service<Request<B>, Response = Response> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let mut inner = self.inner.clone();
        Box::pin(async move {
            if req.headers().get("x-api-key").is_none() {
                return Ok(StatusCode::UNAUTHORIZED.into_response());
            }
            inner.call(req).await
        })
    }
}
"#,
    );
}

#[test]
fn other_frameworks() {
    rust(
        "other_frameworks",
        r#"
#[actix_web::main]
async fn main() -> std::io::Result<()> {
    HttpServer::new(move || {
        App::new()
            .wrap(HttpAuthentication::bearer(validator))
            .service(web::scope("/api").configure(users::config).service(index))
            .route("/{x}", web::get().to(handler))
    })
    .bind(("127.0.0.1", 8080))?
    .run()
    .await
}

#[tonic::async_trait]
impl Greeter for MyGreeter {
    async fn say_hello(&self, request: tonic::Request<HelloRequest>) -> Result<Response<Reply>, Status> {
        let claims = request.extensions().get::<Claims>().ok_or_else(|| Status::unauthenticated("no"))?;
        Ok(Response::new(Reply { message: format!("Hello {}!", claims.name) }))
    }
}

#[launch]
fn rocket() -> _ { rocket::build().mount("/", routes![index]).attach(Template::fairing()) }
"#,
    );
}
